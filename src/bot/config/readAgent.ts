import type { AgentConfig, Config } from './config.ts';
import type { KnownKind } from './knownKind.ts';
import { insidePath } from './parsers.ts';
import { quote, type VariableReader } from './variableReader.ts';

/** What is said of messages; undefined: the bot is no agent. The kind says whether its programs can answer them. */
export function readAgent(
  reader: VariableReader,
  kind: Pick<KnownKind, 'id' | 'answersMessages' | 'agent'> | undefined,
): AgentConfig | undefined {
  const entrypoint = reader.readAs('MESSAGE_ENTRYPOINT', insidePath);
  const bot = reader.text('ENTRYPOINT');
  if (entrypoint !== undefined && kind !== undefined && !kind.answersMessages) {
    reader.problem(
      `MESSAGE_ENTRYPOINT=${quote(entrypoint)}: programs of the kind ${kind.id} answer no messages`,
    );
  } else if (entrypoint !== undefined && bot !== undefined && bot !== entrypoint) {
    const why = 'one program is both, its `main` runs beside';
    reader.problem(`MESSAGE_ENTRYPOINT=${quote(entrypoint)} is not ENTRYPOINT=${quote(bot)}: ${why}`);
  }
  if (entrypoint === undefined && kind?.agent === undefined) return undefined;
  return {
    entrypoint,
    token: reader.secret('AGENT_TOKEN'),
    timeoutMs: reader.read('AGENT_TIMEOUT'),
    concurrency: reader.read('AGENT_CONCURRENCY'),
  };
}

/** Both are read: what is wrong with one is told, whatever the other says. An agent runs for as long as it is asked. */
export function readBotType(reader: VariableReader, isAgent: boolean): Config['botType'] {
  const type = reader.read('BOT_TYPE');
  const isScheduled = reader.read('IS_SCHEDULED') || type === 'scheduled';
  if (!isAgent) return isScheduled ? 'scheduled' : type;
  if (isScheduled && (reader.has('BOT_TYPE') || reader.read('IS_SCHEDULED'))) {
    reader.problem('BOT_TYPE="scheduled" is not for an agent, which waits for messages: expected `realtime`');
  }
  return 'realtime';
}
