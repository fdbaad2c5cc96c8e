/** Settings that differ between deployments of one build. The web server serves them; see entrypoint.sh. */
export interface Configuration {
  environment: string
  release: string
  sentryDsn: string
}

export async function readConfiguration(): Promise<Configuration> {
  const response = await fetch('/config.json')
  if (!response.ok) throw new Error(`/config.json responded with ${String(response.status)}`)
  return (await response.json()) as Configuration
}
