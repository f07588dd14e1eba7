/**
 * A stand-in for an agent with an OpenAI endpoint: `chatAgent.ts FILE`, PORT and KEY from the environment. It keeps what it was told
 * in FILE, by `user`, and answers `say WORD` with all words of the conversation; `hang` never.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { lastText, startChatServer } from './chatServer.ts';

const [, , file = ''] = process.argv;
const said: Record<string, string[]> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};

mkdirSync(dirname(file), { recursive: true });
await startChatServer({
  port: Number(process.env.PORT),
  key: process.env.KEY ?? '',
  answer: ({ body }, response) => {
    const text = lastText(body);
    if (text === 'hang') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      return undefined;
    }
    if (text === 'die') process.kill(process.pid, 'SIGKILL');
    const user = body.user ?? '';
    const words = [...(said[user] ?? []), ...(/\bsay (\w+)/.exec(text)?.slice(1) ?? [])];
    said[user] = words;
    writeFileSync(file, JSON.stringify(said));
    return ['I heard', ...words.map((word) => ` ${word}`)];
  },
});
