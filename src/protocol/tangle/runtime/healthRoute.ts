import { notFound } from '../http/httpError.ts';
import type { Answer, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { mustBe } from '../sandboxes/findOwn.ts';
import { lookInside } from './lookInside.ts';
import { unanswered } from './sendOn.ts';

/**
 * Whether a sandbox lives, which whoever knows its address may ask: clients do before they have a token. Nothing of such a call is sent on, and
 * however many ask at once, the sandbox is asked once.
 */
export function healthRoute({ sandboxes, clock }: Pick<Parts, 'sandboxes' | 'clock'>): Route {
  const looks = new Map<string, Promise<Answer>>();
  const look = async (id: string): Promise<Answer> => {
    const text = await lookInside({ sandboxes, clock }, id, new AbortController().signal);
    if (text === undefined) throw new Error('it has said nothing for 5 s');
    return { body: JSON.parse(text) as unknown };
  };
  return {
    method: 'GET',
    path: '/sidecar/:id/health',
    scope: 'open',
    handle: async ({ params: { id = '' } }) => {
      const found = sandboxes.find(id);
      if (found === undefined) throw notFound('sandbox', id);
      mustBe(found, 'running');
      const looking = looks.get(id) ?? look(id).finally(() => looks.delete(id));
      looks.set(id, looking);
      try {
        return await looking;
      } catch (error) {
        throw unanswered(`sandbox ${id}`, error);
      }
    },
  };
}
