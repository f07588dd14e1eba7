import { tarGz } from '../files/tarGz.ts';
import { countsLives } from './counterBot.ts';

const query = `import json, os, socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

def reaches(address):
    host, port = address.rsplit(":", 1)
    try: socket.create_connection((host, int(port)), 3).close()
    except OSError: return False
    return True

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        file = Path(os.environ["STATE_DIR"], "lives")
        if url.path == "/lives": data = {"lives": int(file.read_text()) if file.exists() else 0}
        else: data = {to: reaches(to) for to in parse_qs(url.query)["to"]}
        body = json.dumps({"status": "ok", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["THE0_QUERY_PORT"])), Handler).serve_forever()
`;

/** Counts its lives (`/lives`) and says whom it reaches (`/reaches?to=HOST:PORT`). */
export const probeCode = (): Promise<Buffer> => tarGz({ 'main.py': countsLives, 'query.py': query });

/** The Bot as its author writes it, beside its code in the store. */
export const probeBot = (namespace: string, name: string, spec: object = {}) => ({
  apiVersion: 'runtime.bots/v1alpha1',
  kind: 'Bot',
  metadata: { name, namespace },
  spec: {
    type: 'realtime',
    runtime: 'python3.11',
    code: { file: 'probe/code.tar.gz' },
    entrypoints: { bot: 'main.py', query: 'query.py' },
    ...spec,
  },
});
