import type { Choice, Place } from './listCommands.ts';

/** The same walk as in bash; the choices with their summaries. */
export function zsh(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const cases = places.map(({ path, commands, flags, values }) => {
    const words = [...commands, ...values.map((name) => ({ name, summary: name }))];
    return `    '${path}')\n      words_=(${list(words)})\n      flags_=(${list(flags)}) ;;`;
  });
  return `#compdef runtime
_runtime() {
  local at='' word next
  local -a words_ flags_
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case "$next" in
    ${paths.join('|')}) at=$next ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option flags_
  elif (( $#words_ )); then
    _describe command words_
  else
    _files
  fi
}
if [[ $funcstack[1] == _runtime ]]; then _runtime "$@"; else compdef _runtime runtime; fi
`;
}

function list(choices: readonly Choice[]): string {
  return choices
    .map(({ name, summary }) => `'${name.replaceAll(':', '\\:')}:${summary.replaceAll("'", "'\\''")}'`)
    .join(' ');
}
