from django.contrib.auth.hashers import Argon2PasswordHasher


class LeanArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB of memory: a container cannot serve parallel logins at Django's 100 MiB.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
    """

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1
