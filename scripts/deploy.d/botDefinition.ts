import { toJsonSchema } from '@valibot/to-json-schema';
import { botSchema } from '../../src/host/bots/schema.ts';
import { botResource } from '../../src/host/sources/kubernetes/resource.ts';
import { structural } from './structural.ts';

type Json = Readonly<Record<string, unknown>>;

const descriptions: Readonly<Record<string, string>> = {
  name: 'BOT_ID: letters, digits, ".", "_" or "-". Default: metadata.name.',
  type: 'realtime: runs all the time. scheduled: runs at the times of its schedule.',
  runtime: 'A kind of bots: python3.11, nodejs20, ….',
  code: 'The archive, by its key in the code bucket and its SHA-256.',
  entrypoints: 'What is run, and what answers queries and messages.',
  agent: 'true: an agent by its kind, which needs no entrypoints.',
  config: 'The configuration of the bot, as it likes.',
  task: 'Its task, as it likes.',
  enabled: 'false: it is stopped in order and kept.',
  schedule: 'When it runs; docs/hosts.md, "Time".',
  resources: 'memory and disk such as 512Mi, cpu such as 500m, pids.',
  restart: 'always, on-failure or never; backoff such as 1s..5m.',
  stop: 'timeout: how long it may take to end.',
  network: 'egress: none, internet (no private ranges), or a list of networks.',
  secrets:
    'Names of Kubernetes Secrets with the label runtime.bots/secret=true, seen as files below /run/secrets.',
  env: 'Variables: none of the runtime’s own.',
  labels: 'For people and for selecting.',
};

/** The bot's fields as the cluster checks them: those of a file, less a folder of code, and with the name of the object as the default. */
export function specSchema(): Json {
  const whole = structural(toJsonSchema(botSchema, { typeMode: 'input', errorMode: 'ignore' }) as Json);
  const properties = whole.properties as Record<string, Json>;
  const described = Object.entries({ ...properties, code }).map(([name, one]) => [
    name,
    descriptions[name] === undefined ? one : { description: descriptions[name], ...one },
  ]);
  return {
    type: 'object',
    required: [...(whole.required as string[]).filter((name) => name !== 'name'), 'code'],
    properties: Object.fromEntries(described),
    'x-kubernetes-validations': [
      {
        rule: "self.type != 'scheduled' || has(self.schedule)",
        message: 'a scheduled bot needs schedule.cron',
      },
      {
        rule: "self.type != 'realtime' || !has(self.schedule)",
        message: 'schedule: only for bots of type scheduled',
      },
    ],
  };
}

const code: Json = {
  type: 'object',
  required: ['file'],
  properties: { file: { type: 'string', minLength: 1 }, sha256: { type: 'string' } },
};

const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const count = { type: 'integer', format: 'int64' };

/** What the host says of a bot. */
export const statusSchema: Json = {
  type: 'object',
  properties: {
    observedGeneration: { description: 'The metadata.generation that all of this is about.', ...count },
    phase: {
      description: 'running, starting, stopping, waiting, backoff, held, invalid, disabled.',
      ...text,
    },
    reason: { description: 'Of the condition Ready.', ...text },
    message: { description: 'Of the condition Ready.', ...text },
    failures: { description: 'Failed ends in a row.', ...count },
    nextRun: time,
    lastRun: {
      type: 'object',
      properties: { time, outcome: text, startedAt: time, endedAt: time, exitCode: count },
    },
    lastEnd: { type: 'object', properties: { time, exitCode: count, reason: text } },
    snapshot: {
      description: 'The newest snapshot of its state, when it last ended or was started.',
      type: 'object',
      properties: { sequence: count, generation: count, time },
    },
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
        properties: {
          type: text,
          status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
          reason: text,
          message: text,
          lastTransitionTime: time,
          observedGeneration: count,
        },
      },
    },
  },
};

const column = (name: string, type: string, jsonPath: string, priority = 0) => ({
  name,
  type,
  jsonPath,
  ...(priority === 0 ? {} : { priority }),
});

/** The CustomResourceDefinition of `Bot`. */
export function botDefinition(): Json {
  const { group, version, kind, plural } = botResource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: 'bot', categories: ['all'] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            column('Type', 'string', '.spec.type'),
            column('Phase', 'string', '.status.phase'),
            column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status'),
            column('Reason', 'string', '.status.reason'),
            column('Last Run', 'string', '.status.lastRun.outcome'),
            column('Next Run', 'string', '.status.nextRun'),
            column('Age', 'date', '.metadata.creationTimestamp'),
            column('Runtime', 'string', '.spec.runtime', 1),
            column('Code', 'string', '.spec.code.file', 1),
            column('Schedule', 'string', '.spec.schedule.cron', 1),
            column('Snapshot', 'integer', '.status.snapshot.sequence', 1),
            column('Message', 'string', '.status.message', 1),
          ],
          schema: {
            openAPIV3Schema: {
              description: 'A bot of the runtime: docs/kubernetes.md.',
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: text,
                kind: text,
                metadata: { type: 'object' },
                spec: specSchema(),
                status: statusSchema,
              },
            },
          },
        },
      ],
    },
  };
}
