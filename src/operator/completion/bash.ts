import type { Place } from './listCommands.ts';

/** Walks the words before the cursor to the place they name, then offers what may follow. */
export function bash(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const cases = places.map(({ path, commands, flags, values }) => {
    const words = [...commands.map(({ name }) => name), ...values];
    return `    '${path}') words='${words.join(' ')}' flags='${flags.map(({ name }) => name).join(' ')}' ;;`;
  });
  return `# bash completion for runtime
_runtime() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' flags='' word next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
    ${paths.join('|')}) path=$next ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  [[ $current == -* ]] && words=$flags
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _runtime runtime
`;
}
