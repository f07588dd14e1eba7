import * as v from 'valibot';
import type { Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';

const amounts = v.object({
  cpuMillis: v.number(),
  memoryBytes: v.number(),
  diskBytes: v.number(),
  slots: v.number(),
});
const schema = v.object({
  host: v.object({
    name: v.string(),
    driver: v.string(),
    unfit: v.optional(v.string()),
    total: amounts,
    used: amounts,
  }),
  version: v.string(),
  sharesStore: v.optional(v.boolean(), false),
  sandboxes: v.array(
    v.object({
      id: v.string(),
      owner: v.string(),
      idempotencyKey: v.optional(v.string()),
      /** How often it was taken: of two that tell of it the one with more has it. */
      moves: v.optional(v.number(), 0),
    }),
  ),
});

/** How a host stands, and what is on it. */
export type Heartbeat = v.InferOutput<typeof schema>;

/** Throws for anything else. */
export const readHeartbeat = (value: unknown): Heartbeat => v.parse(schema, value);

/** `GET /v1/hosts/self`: what another server places by. */
export function heartbeatRoutes({ capacity, sandboxes, version }: Parts): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/hosts/self',
      scope: 'admin',
      handle: async () => {
        const [host] = capacity.hosts();
        const all = sandboxes.all().map((one) => {
          const { id, owner, idempotencyKey, moves } = one;
          return { id, owner, idempotencyKey, moves };
        });
        return { body: { host, version, sharesStore: sandboxes.sharesStore, sandboxes: all } };
      },
    },
  ];
}
