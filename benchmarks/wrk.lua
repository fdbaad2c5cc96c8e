-- wrk -s load.lua URL [BODY]: post the body, if there is one; print what a program can read.
function init(arguments)
   if arguments[1] then
      wrk.method, wrk.body = "POST", arguments[1]
   end
end

function done(summary, latency)
   local errors = summary.errors
   local dropped = errors.connect + errors.read + errors.write + errors.timeout
   print(string.format("summary %d %d %d %d %d", summary.requests, summary.duration,
      latency:percentile(99), dropped, errors.status))
end
