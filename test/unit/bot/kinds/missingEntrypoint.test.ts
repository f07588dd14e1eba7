import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { missingEntrypoint } from '../../../../src/bot/kinds/missingEntrypoint.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test.each<[string, boolean, string[], string]>([
  [
    'bot',
    true,
    ['bot.yaml', 'build', 'main.rs'],
    'not built yet, there is only its source (main.rs): CODE/build builds it.',
  ],
  [
    'main',
    true,
    ['bot.yaml', 'Cargo.toml', 'src/main.rs'],
    'not built yet, there is only its source (Cargo.toml): build it first.',
  ],
  ['app.jar', true, ['bot.yaml', 'Main.scala'], 'not built yet'],
  ['bot', true, ['bot.yaml', 'Cargo.toml', 'target/release/bot'], 'Did you mean target/release/bot?'],
  ['bot', true, ['bot.yaml', 'main.rs', 'bott'], 'Did you mean bott?'],
  ['bot', true, ['bot.yaml'], 'There are: bot.yaml'],
  ['bot.py', false, ['bot.yaml', 'main.rs', 'README.md'], 'There are: README.md, bot.yaml, main.rs'],
  ['main.py', false, ['bot.yaml', 'mian.py'], 'Did you mean mian.py?'],
  ['src/main.py', false, ['bot.yaml', 'src/mian.py'], 'Did you mean src/mian.py?'],
  ['src/main.py', false, ['bot.yaml', 'src/other'], 'In src there are: other'],
  ['src/deep/main.py', false, ['bot.yaml', 'src/other'], 'In src there are: other'],
  ['main.py', false, ['my-bot-main/main.py', 'a'], 'Did you mean my-bot-main/main.py?'],
  ['main.py', false, [], 'CODE is empty'],
  ['main.py', false, ['.runtime/lock'], 'CODE is empty'],
])('%s (built: %s) among %j: %s', async (entrypoint, isBuilt, files, hint) => {
  const code = await temporaryDirectory();
  for (const file of files) {
    await mkdir(dirname(join(code, file)), { recursive: true });
    await writeFile(join(code, file), '');
  }
  expect(missingEntrypoint(code, entrypoint, isBuilt).replaceAll(code, 'CODE')).toContain(hint);
});

test.each(['main.py', 'absent'])('a link to %s, which is not there, is told as such', async (target) => {
  const code = await temporaryDirectory();
  await symlink(target, join(code, 'main.py'));
  expect(missingEntrypoint(code, 'main.py', false)).toBe(`It is a link to ${target}, which is not there.`);
});
