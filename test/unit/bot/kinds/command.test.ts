import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command } from '../../../../src/bot/kinds/command/command.ts';
import { expandCommand } from '../../../../src/bot/kinds/command/expand.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { kindRequest } from '../../../support/process/kindRequest.ts';
import { run } from '../../../support/process/launch.ts';

const values = new Map([
  ['in.path', "/bot/it's here.csv"],
  ['task.name', 'nightly'],
]);
const word = `'/bot/it'\\''s here.csv'`;

test.each([
  ['cat {in.path}', `cat ${word}`],
  ['run --in={in.path}', `run --in=${word}`],
  ['x=$(wc -l {in.path})', `x=$(wc -l ${word})`],
  ['echo "lines: $(wc -l {in.path})"', `echo "lines: $(wc -l ${word})"`],
  [`echo "it's" {in.path}`, `echo "it's" ${word}`],
  [`echo it\\'s {in.path}`, `echo it\\'s ${word}`],
  ["# don't\ncat {in.path}", `# don't\ncat ${word}`],
  ['cat {in.path} # {never.mind}', `cat ${word} # {never.mind}`],
  ['cat <<EOF\n"\nEOF\ncat {in.path}', `cat <<EOF\n"\nEOF\ncat ${word}`],
  ["cat <<-'E F'\n\t'\n\tE F\ncat {in.path}", `cat <<-'E F'\n\t'\n\tE F\ncat ${word}`],
  ['echo $((1 + (2 << 3))) {in.path}', `echo $((1 + (2 << 3))) ${word}`],
  ['(cd out; cat) < {in.path}', `(cd out; cat) < ${word}`],
])('%j becomes %j', (text, expanded) => {
  expect(expandCommand(text, values)).toBe(expanded);
});

test.each([
  `echo {} {a,b} {1..3} \${HOME} {in} { in.path } {in.path.x} {1.path}`,
  "awk '{ print $1 }' f | jq '{a: .b}'",
  `f() { echo "\${x:-{}}"; }`,
  '\\{in.path}',
])('other braces stay as they are: %j', (text) => {
  expect(expandCommand(text, values)).toBe(text);
});

test.each([
  `cat '{in.path}'`,
  `cat "{in.path}"`,
  'cat `echo {in.path}`',
  'cat "`echo {in.path}`"',
  'echo `case x in a) echo;; esac; cat {in.path}`',
  `cat \${x:-{in.path}}`,
  `cat \${in.path}`,
  'echo $(( {in.path} ))',
  'cat <<EOF\n{in.path}\nEOF',
  "cat <<'EOF'\n{in.path}\nEOF",
  'echo "$(cat "{in.path}")"',
  `echo "it's {in.path}"`,
])('a placeholder inside quotes is refused: %j', (text) => {
  expect(() => expandCommand(text, values)).toThrow('inside quotes');
});

test('an unknown placeholder lists the known ones', () => {
  expect(() => expandCommand('cat {out.path}', values)).toThrow(
    expect.objectContaining({ exitCode: 78, hint: 'Known here: {in.path}, {task.name}' }),
  );
});

test('it runs in the code path, each value one word', async () => {
  const code = join(await temporaryDirectory(), `a 'b" $(c)`);
  await mkdir(join(code, 'data'), { recursive: true });
  await writeFile(join(code, 'data/prices.csv'), 'prices\n');
  const text = 'pwd; cat {prices-csv.path}; printf "<%s>" {report.path} {report.id} {task.name}; exit 4';
  const result = await run(command.launch(kindRequest(code, text)));
  expect(result).toMatchObject({
    code: 4,
    stdout: `${code}\nprices\n<${join(code, 'out/report.txt')}><report><nightly>`,
    stderr: '',
  });
});
