/** Python of whoever means harm: what it may read, whom it reaches, where it may write, and the first that it would look for. */
export const attackTools = `import json, os, socket, urllib.request
found = {}
def text(path):
    try:
        with open(path, "rb") as file: return file.read()
    except OSError: return b""
def reaches(address, port):
    try:
        socket.create_connection((address, port), 1.5).close()
        return True
    except OSError: return False
def writes(path):
    try:
        open(os.path.join(path, "planted"), "w").close()
        return True
    except OSError: return False
found["variables"] = sorted(name for name in os.environ if "SEAL" in name or "SECRET" in name or "ACCESS" in name or "TOKEN" in name)
found["writable"] = [path for path in ["/", "/bot", "/run/runtime", "/etc", "/usr/local/bin", "/proc/1/root"] if writes(path)]
`;
