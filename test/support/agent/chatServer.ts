import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What was asked of a chat server. */
export interface Asked {
  readonly headers: IncomingMessage['headers'];
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: unknown }[];
    readonly stream?: boolean;
    readonly stream_options?: { readonly include_usage?: boolean };
    readonly user?: string;
  };
}

export interface ChatServer {
  readonly port: number;
  readonly asked: readonly Asked[];
  /** Requests whose client went away before they were answered. */
  readonly abandoned: () => number;
  close(): Promise<void>;
}

export interface ChatServerOptions {
  readonly port?: number;
  /** Required as `Authorization: Bearer`. */
  readonly key?: string;
  readonly health?: () => number;
  /** What it answers, in pieces, a token each; default: `echo:` and the last message. Or it answers by itself, and gives nothing. */
  readonly answer?: (asked: Asked, response: ServerResponse) => readonly string[] | undefined;
}

/** OpenAI's chat completions, streamed and not, with usage: a stand-in for an agent, or for the model that real ones ask. */
export async function startChatServer(options: ChatServerOptions = {}): Promise<ChatServer> {
  const asked: Asked[] = [];
  let abandoned = 0;
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const send = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.method === 'GET') {
      if (request.url?.endsWith('/models'))
        return send(200, { object: 'list', data: [{ id: 'fake-1', object: 'model' }] });
      return send(options.health?.() ?? 200, { status: 'ok' });
    }
    if (options.key !== undefined && request.headers.authorization !== `Bearer ${options.key}`)
      return send(401, { error: { message: 'wrong key' } });
    const one: Asked = { headers: request.headers, body: JSON.parse(await text(request)) };
    asked.push(one);
    response.once('close', () => {
      if (!response.writableFinished) abandoned += 1;
    });
    const pieces = (options.answer ?? echo)(one, response);
    if (pieces === undefined) return;
    const common = { id: `chatcmpl-${asked.length}`, created: 1, model: 'fake-1' };
    const usage = {
      prompt_tokens: JSON.stringify(one.body.messages).length,
      completion_tokens: pieces.length,
      total_tokens: JSON.stringify(one.body.messages).length + pieces.length,
    };
    if (one.body.stream !== true) {
      const message = { role: 'assistant', content: pieces.join('') };
      return send(200, {
        ...common,
        object: 'chat.completion',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage,
      });
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = (value: object) =>
      response.write(`data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', ...value })}\n\n`);
    for (const content of pieces)
      event({ choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }] });
    event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    if (one.body.stream_options?.include_usage) event({ choices: [], usage });
    response.end('data: [DONE]\n\n');
  };

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    abandoned: () => abandoned,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function echo({ body }: Asked): readonly string[] {
  return ['echo:', ` ${lastText(body)}`];
}

/** What the last message says. */
export function lastText({ messages }: Asked['body']): string {
  const content = messages.at(-1)?.content;
  if (typeof content === 'string') return content;
  return (content as { text?: string }[]).map((part) => part.text ?? '').join('');
}
