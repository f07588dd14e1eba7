/**
 * A client of sandboxes as strict as the published SDK 0.1.0 is (facts on Tangle, section 1), written after what it sends and reads: it asks
 * for the sandbox before each call and refuses unless that says `running`; sends `Content-Type: application/json` with everything; pastes paths into
 * URLs as they are; takes an absent exit code for 0; and reads events with that parser's limits. What a server gets wrong, this does not
 * mend.
 */

// biome-ignore lint/suspicious/noExplicitAny: what a test expects is in the test
type Json = any;

export interface SandboxInfo {
  readonly id: string;
  readonly status: string;
  readonly createdAt: string;
  readonly connection?: { readonly sidecarUrl?: string; readonly authToken?: string };
  readonly [more: string]: Json;
}

export interface SandboxEvent {
  readonly type: string;
  readonly data: Json;
  readonly id?: string | undefined;
}

/** A failed answer, with what the SDK takes from it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: Json;

  constructor(status: number, text: string) {
    const body = parsed(text);
    super(String(body?.message ?? body?.error?.message ?? body?.error ?? text));
    this.status = status;
    this.code = body?.code ?? body?.error?.code;
    this.body = body;
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The orchestrator: sandboxes by an API key. */
export class SandboxClient {
  readonly #base: string;
  readonly #key: string;

  constructor(baseUrl: string, apiKey: string) {
    this.#base = baseUrl.replace(/\/$/, '');
    this.#key = apiKey;
  }

  /** Headers have to come within 30 s, as in the SDK. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error('no headers within 30 s')), 30_000);
    try {
      return await fetch(`${this.#base}${path}`, {
        ...init,
        signal: init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal,
        headers: {
          'Content-Type': 'application/json',
          Authorization: `Bearer ${this.#key}`,
          ...(init.headers as Record<string, string>),
        },
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async json(method: string, path: string, body?: unknown): Promise<Json> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return await jsonOf(await this.fetch(path, init));
  }

  async health(): Promise<boolean> {
    return (await this.fetch('/health')).ok;
  }

  async create(request: Json = {}): Promise<SandboxInstance> {
    return new SandboxInstance(this, await this.json('POST', '/v1/sandboxes', request));
  }

  async list(query = ''): Promise<SandboxInstance[]> {
    const body = await this.json('GET', `/v1/sandboxes${query}`);
    const infos: SandboxInfo[] = Array.isArray(body) ? body : (body.sandboxes ?? []);
    return infos.map((info) => new SandboxInstance(this, info));
  }

  /** Null: there is none. */
  async get(id: string): Promise<SandboxInstance | null> {
    try {
      return new SandboxInstance(this, await this.json('GET', `/v1/sandboxes/${id}`));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }
}

/** One sandbox, as the orchestrator tells of it. */
export class SandboxInstance {
  readonly client: SandboxClient;
  info: SandboxInfo;

  constructor(client: SandboxClient, info: SandboxInfo) {
    this.client = client;
    this.info = info;
  }

  get id(): string {
    return this.info.id;
  }

  get status(): string {
    return this.info.status;
  }

  async refresh(): Promise<this> {
    this.info = await this.client.json('GET', `/v1/sandboxes/${this.id}`);
    return this;
  }

  async waitFor(statuses: string | readonly string[], timeoutMs = 120_000, pollMs = 500): Promise<this> {
    const wanted = [statuses].flat();
    for (const begun = Date.now(); ; ) {
      await this.refresh();
      if (wanted.includes(this.status)) return this;
      if (this.status === 'failed') throw new Error(`failed: ${this.info.error}`);
      if (Date.now() - begun > timeoutMs) throw new Error(`${this.status}, and not ${wanted.join(' or ')}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  async stop(): Promise<this> {
    await this.client.json('POST', `/v1/sandboxes/${this.id}/stop`);
    return await this.refresh();
  }

  async resume(): Promise<this> {
    await this.client.json('POST', `/v1/sandboxes/${this.id}/resume`);
    return await this.refresh();
  }

  async delete(): Promise<void> {
    await this.client.json('DELETE', `/v1/sandboxes/${this.id}`);
  }

  async *events(init: RequestInit = {}): AsyncGenerator<SandboxEvent> {
    yield* parseEvents(await checked(await this.client.fetch(`/v1/sandboxes/${this.id}/events`, init)));
  }

  /** Its own API: asked for anew before each call, like everything in the SDK. Throws unless it says `running`. */
  async sidecar(): Promise<SidecarClient> {
    await this.refresh();
    const { sidecarUrl, authToken } = this.info.connection ?? {};
    if (this.status !== 'running') throw new Error(`Sandbox is not running (status: ${this.status})`);
    if (!sidecarUrl) throw new Error('Sandbox has no sidecar URL');
    return new SidecarClient(sidecarUrl, authToken);
  }

  /** The same by the API key, as newer clients have it. */
  runtime(): SidecarClient {
    return new SidecarClient('', undefined, (path, init) =>
      this.client.fetch(`/v1/sandboxes/${this.id}/runtime${path}`, init),
    );
  }

  async exec(command: string, options: Json = {}): Promise<ExecResult> {
    return await (await this.sidecar()).exec(command, options);
  }

  async read(path: string): Promise<string> {
    return await (await this.sidecar()).read(path);
  }

  async write(path: string, content: string): Promise<void> {
    await (await this.sidecar()).write(path, content);
  }
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LogEntry {
  readonly type: 'stdout' | 'stderr';
  readonly data: string;
  readonly timestamp: number;
}

/** The API of a box itself: at `sidecarUrl`, or below `/v1/sandboxes/ID/runtime`. */
export class SidecarClient {
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;

  constructor(
    sidecarUrl: string,
    token: string | undefined,
    send?: (path: string, init?: RequestInit) => Promise<Response>,
  ) {
    this.fetch =
      send ??
      ((path, init = {}) =>
        fetch(`${sidecarUrl.replace(/\/$/, '')}${path}`, {
          ...init,
          headers: {
            'Content-Type': 'application/json',
            ...(token && { Authorization: `Bearer ${token}` }),
            ...(init.headers as Record<string, string>),
          },
        }));
  }

  async json(method: string, path: string, body?: unknown): Promise<Json> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return await jsonOf(await this.fetch(path, init));
  }

  async exec(command: string, options: Json = {}): Promise<ExecResult> {
    const { timeoutMs: timeout, ...rest } = options;
    const body = await this.json('POST', '/terminals/commands', { command, ...rest, timeout });
    const result = body.result ?? body;
    return { exitCode: result.exitCode ?? 0, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
  }

  async read(path: string): Promise<string> {
    return (await this.json('POST', '/files/read', { path })).data?.content ?? '';
  }

  async write(path: string, content: string): Promise<void> {
    await this.json('POST', '/files/write', { path, content });
  }

  async list(path: string, query = ''): Promise<Json[]> {
    return (await this.json('GET', `/fs/list${path}${query}`)).data?.entries ?? [];
  }

  async stat(path: string): Promise<Json> {
    return (await this.json('GET', `/fs/stat${path}`)).data;
  }

  async exists(path: string): Promise<boolean> {
    return (await this.json('GET', `/fs/exists${path}`)).data?.exists === true;
  }

  async mkdir(path: string, recursive = false): Promise<void> {
    await this.json('POST', `/fs/mkdir${path}${recursive ? '?recursive=true' : ''}`);
  }

  async remove(path: string, recursive = false): Promise<void> {
    await this.json('DELETE', `/fs${path}${recursive ? '?recursive=true' : ''}`);
  }

  /** Multipart, under the content type of JSON: without its boundary. */
  async upload(path: string, content: Uint8Array<ArrayBuffer>, name = 'file'): Promise<void> {
    await this.#form('/fs/upload', 'file', path, content, name);
  }

  async uploadDir(path: string, archive: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#form('/fs/upload-dir', 'archive', path, archive, 'archive.tar.gz');
  }

  async #form(
    to: string,
    part: string,
    path: string,
    content: Uint8Array<ArrayBuffer>,
    name: string,
  ): Promise<void> {
    const form = new FormData();
    form.append(part, new Blob([content]), name);
    form.append('path', path);
    await checked(await this.fetch(to, { method: 'POST', body: form }));
  }

  async download(path: string): Promise<Buffer> {
    return Buffer.from(await (await checked(await this.fetch(`/fs/download${path}`))).arrayBuffer());
  }

  async downloadDir(path: string): Promise<Buffer> {
    return Buffer.from(await (await checked(await this.fetch(`/fs/download-dir${path}`))).arrayBuffer());
  }

  /** Its pid. */
  async spawn(command: string, options: Json = {}): Promise<number> {
    return (await this.json('POST', '/process/spawn', { command, ...options, blocking: false })).data.pid;
  }

  async processes(): Promise<Json[]> {
    return (await this.json('GET', '/process')).data ?? [];
  }

  async process(pid: number): Promise<Json> {
    return (await this.json('GET', `/process/${pid}`)).data;
  }

  async kill(pid: number, signal = 'SIGTERM'): Promise<void> {
    const response = await this.fetch(`/process/${pid}`, {
      method: 'DELETE',
      body: JSON.stringify({ signal }),
    });
    if (response.status !== 404) await checked(response);
    else await response.text();
  }

  /** The exit code, asked for every so often, as the SDK does every 500 ms. */
  async wait(pid: number, pollMs = 100): Promise<number> {
    for (;;) {
      const { running, exitCode } = await this.process(pid);
      if (!running) return exitCode;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** Ends at `exit`. */
  async *logs(pid: number, init: RequestInit = {}): AsyncGenerator<LogEntry> {
    for await (const { type, data } of parseEvents(
      await checked(await this.fetch(`/process/${pid}/logs`, init)),
    )) {
      if (type === 'exit') return;
      if (type === 'stdout' || type === 'stderr') yield { type, data: data.data, timestamp: data.timestamp };
    }
  }
}

async function checked(response: Response): Promise<Response> {
  if (!response.ok) throw new ApiError(response.status, await response.text());
  return response;
}

async function jsonOf(response: Response): Promise<Json> {
  return JSON.parse(await (await checked(response)).text());
}

export interface ParseOptions {
  /** As the SDK reads `/batch/run`: what a read of the connection leaves half is lost. */
  readonly forgetful?: boolean;
}

/** Events as the SDK reads them: lines end with LF, an event has a name and one line of data, and what is no JSON does not come. */
export async function* parseEvents(
  response: Response,
  { forgetful = false }: ParseOptions = {},
): AsyncGenerator<SandboxEvent> {
  const decoder = new TextDecoder();
  let text = '';
  let [type, data, id] = ['', '', ''];
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    if (forgetful) text = '';
    for (const line of lines) {
      if (line.startsWith('event:')) type = line.slice(6).trim();
      else if (line.startsWith('data:')) data = line.slice(5).trim();
      else if (line.startsWith('id:')) id = line.slice(3).trim();
      else if (line === '' && type !== '' && data !== '') {
        const value = parsed(data);
        if (value !== undefined) yield { type, data: value, id: id || undefined };
        [type, data, id] = ['', '', ''];
      }
    }
    if (forgetful) [type, data, id] = ['', '', ''];
  }
}
