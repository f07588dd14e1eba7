/** A block of commands in a page: ```sh, or ```console with a prompt before each. ```text, and all other languages, are for reading. */
export interface Block {
  /** Of the fence, from 1. */
  readonly line: number;
  readonly commands: string;
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; indent: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, indent, language = ''] = /^(\s*)```(\w*)\s*$/.exec(line) ?? [];
    if (indent === undefined) open?.lines.push(line.slice(open.indent));
    else if (open === undefined) open = { language, line: index + 1, indent: indent.length, lines: [] };
    else {
      const commands = commandsOf(open.language, open.lines);
      if (commands !== undefined) blocks.push({ line: open.line, commands });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`the fence in line ${open.line} is not closed`);
  return blocks;
}

function commandsOf(language: string, lines: readonly string[]): string | undefined {
  if (language === '') throw new Error('a fence without a language: is it run (sh), or read (text)?');
  if (language === 'sh') return lines.join('\n');
  if (language !== 'console') return undefined;
  const typed = lines.filter((line) => line.startsWith('$ '));
  return typed.map((line) => line.slice(2)).join('\n');
}

/**
 * The whole page as one script for bash, which ends at the first command that fails. What is endless is stopped after `stopAfter`
 * seconds, and has to end as what is stopped does.
 */
export function scriptOf(
  blocks: readonly Block[],
  rules: {
    isNotRun(line: string): boolean;
    readonly endless: readonly RegExp[];
    readonly stopAfter?: number | undefined;
  },
): string {
  const parts = blocks.map(({ line, commands }) => {
    const kept = commands.split('\n').map((command) => {
      if (rules.isNotRun(command)) return ': not run';
      return rules.endless.some((rule) => rule.test(command)) ? `stopped ${command}` : command;
    });
    return [`echo '## line ${line}'`, ...kept].join('\n');
  });
  return [
    'set -euo pipefail',
    // Whatever the page has started ends with it.
    `trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT`,
    `stopped() { local code=0; timeout -k 60 ${rules.stopAfter ?? 5} "$@" || code=$?; case $code in 0|124|143) ;; *) return $code ;; esac; }`,
    ...parts,
  ].join('\n');
}
