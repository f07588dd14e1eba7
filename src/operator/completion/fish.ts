import type { Choice, Place } from './listCommands.ts';

/** One line per choice, each on the condition that the words before the cursor name its place. */
export function fish(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  const lines = places.flatMap(({ path, commands, flags, values }) => {
    const at = `complete -c runtime -n ${quote(`__runtime_at ${quote(path)}`)}`;
    const words = [...commands, ...values.map((name): Choice => ({ name, summary: '' }))];
    return [
      ...words.map(({ name, summary }) => `${at} -f -a ${quote(name)} -d ${quote(summary)}`),
      ...flags.map(({ name, summary }) => `${at} -l ${quote(name.slice(2))} -d ${quote(summary)}`),
    ];
  });
  return `# fish completion for runtime
function __runtime_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..-1]
    set -l next (string trim "$at $word")
    if contains -- $next ${paths.join(' ')}
      set at $next
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
