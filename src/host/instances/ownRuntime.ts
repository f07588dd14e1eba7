import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { Mount } from '../engine/engine.ts';

/** This very executable, for instances of an image that has none. */
export interface OwnRuntime {
  readonly mounts: readonly Mount[];
  readonly entrypoint: readonly string[];
}

const PROGRAM = '/usr/local/bin/runtime';
const INIT = '/usr/local/bin/tini';
/** tini, as engines and images bring it: it reaps what is orphaned. Not the engine's `Init`: of that one everybody may read the environment. */
const INITS = [
  '/usr/bin/tini-static',
  '/usr/bin/docker-init',
  '/usr/libexec/docker/docker-init',
  '/usr/bin/tini',
  '/usr/local/bin/tini',
];
/** Where the executable looks first: `$ORIGIN/../lib/runtime`. */
const LIBRARIES = '/usr/local/lib/runtime';

/**
 * A copy below `folder`, with the libraries that few images have. Mode 0711: of a program that its user cannot read, the kernel closes
 * the environment to that user, and the keys are in there (docs/images.md). Throws `config` where this process is not the executable.
 */
export function placeRuntime(folder: string): OwnRuntime {
  const { isFile, size, mtimeMs } = lookAt(process.execPath);
  if (!isFile) throw notOurs();
  const init = INITS.find((path) => existsSync(path));
  if (init === undefined) throw noInit();
  const own = join(folder, `${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}`);
  if (!existsSync(own)) {
    makeFolders(folder, 0o711);
    const made = `${own}.new`;
    rmSync(made, { recursive: true, force: true });
    makeFolders(join(made, 'lib'), 0o755);
    for (const path of [made, join(made, 'lib')]) chmodSync(path, 0o755);
    copy(process.execPath, join(made, 'runtime'), 0o711);
    copy(init, join(made, 'tini'), 0o711);
    for (const [name, path] of libraries()) copy(path, join(made, 'lib', name), 0o755);
    renameSync(made, own);
  }
  // What runs has its own hold on an older one.
  for (const name of readdirSync(folder))
    if (join(folder, name) !== own) rmSync(join(folder, name), { recursive: true, force: true });
  const mount = (target: string, path: string): Mount => ({
    target,
    readOnly: true,
    from: { type: 'folder', path },
  });
  return {
    mounts: [
      mount(PROGRAM, join(own, 'runtime')),
      mount(INIT, join(own, 'tini')),
      mount(LIBRARIES, join(own, 'lib')),
    ],
    entrypoint: [INIT, '-s', '--', PROGRAM, 'execute'],
  };
}

function lookAt(path: string) {
  const stat = statSync(path);
  return { isFile: stat.isFile() && /(^|\/)runtime$/.test(path), size: stat.size, mtimeMs: stat.mtimeMs };
}

function copy(from: string, to: string, mode: number): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  chmodSync(to, mode);
}

/** Of this process, by the names that it was linked with: `libatomic.so.1`. */
function libraries(): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, name] of readFileSync('/proc/self/maps', 'utf8').matchAll(
    /\/\S*\/((?:libatomic|libstdc\+\+|libgcc_s)\.so\.\d+)\S*/g,
  ))
    found.set(name ?? '', path);
  return found;
}

function notOurs(): RuntimeError {
  return new RuntimeError('config', 'sandboxes with images of their own need the built executable', {
    op: 'instances.ownRuntime',
    hint: 'scripts/build makes it: dist/runtime.',
  });
}

function noInit(): RuntimeError {
  return new RuntimeError('config', 'sandboxes with images of their own need tini on this machine', {
    op: 'instances.ownRuntime',
    hint: `Install tini, or the engine's docker-init: one of ${INITS.join(', ')}.`,
  });
}
