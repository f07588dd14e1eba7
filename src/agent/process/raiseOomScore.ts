import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import type { Owner } from '../../base/owner.ts';

/** proc(5): with the most that there is, the kernel takes whoever has it before everybody who has less, however small. */
const FIRST = '1000';

/**
 * When memory runs out, this process and all that it will ever start are killed before any of ours: what the kernel would
 * choose by itself is the largest, and in a small container that is us, with everything unsaved. Anybody may raise
 * the value of a process of their own, and children inherit it. `user` is whom the process runs as, where not as we do.
 */
export function raiseOomScore(pid: number | undefined, user?: Owner | undefined): void {
  if (pid === undefined) return;
  try {
    writeFileSync(scoreOf(pid), FIRST);
    // What it has forked before we came.
    for (const child of childrenOf(pid)) raiseOomScore(child, user);
  } catch (error) {
    // Root without CAP_DAC_OVERRIDE: only whose process it is may write there. Others: it is gone, or there is no /proc.
    if (user && systemCode(error) === 'EACCES') writeAs(user, pid);
  }
}

function writeAs(user: Owner, pid: number): void {
  const child = spawn('/bin/sh', ['-c', `echo ${FIRST} > ${scoreOf(pid)}`], {
    ...user,
    cwd: '/',
    env: {},
    stdio: 'ignore',
  });
  child.on('error', () => undefined);
  child.unref();
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function scoreOf(pid: number): string {
  return `/proc/${pid}/oom_score_adj`;
}
