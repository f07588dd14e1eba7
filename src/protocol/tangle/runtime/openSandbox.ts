import type { Logger } from '../../../base/log.ts';
import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import type { Tool } from '../access/sidecarToken.ts';
import { emit } from '../events/emit.ts';
import type { EventBus } from '../events/eventBus.ts';
import { HttpError } from '../http/httpError.ts';
import type { Call } from '../http/route.ts';
import { findOwn, mustBe } from '../sandboxes/findOwn.ts';

/** What tools of a sandbox are open; undefined: all. */
export type ToolsOf = (sandbox: Sandbox) => readonly Tool[] | undefined;

export interface Opening {
  readonly sandboxes: Sandboxes;
  readonly toolsOf: ToolsOf;
  readonly bus: EventBus;
  readonly log: Logger;
}

/** A sandbox whose inside this call may use by this tool: it is the caller's, it runs, it is open. Throws 404, 409 and 403. */
export function openSandbox(
  { sandboxes, toolsOf, bus, log }: Opening,
  call: Call,
  tool: Tool | 'always' | 'unknown',
  /** Whether it has to run. */
  status: 'running' | 'any' = 'running',
): Sandbox {
  const sandbox = findOwn(sandboxes, call);
  for (const open of [toolsOf(sandbox), call.caller.tools]) {
    if (tool === 'always' || open === undefined || (open as readonly string[]).includes(tool)) continue;
    const data = { sandboxId: sandbox.id, tool, open: [...open], key: call.caller.name };
    emit(bus.of('sandboxes', sandbox.id), log, { type: 'tool.denied', data });
    const why = `${tool} is not open in this sandbox; open: ${open.join(', ') || 'nothing'}`;
    throw new HttpError(403, 'TOOL_DENIED', why, { tool, open });
  }
  if (status === 'running') mustBe(sandbox, 'running');
  return sandbox;
}
