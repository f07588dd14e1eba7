import { RuntimeError } from '../../../base/errors.ts';
import { quoteWord } from '../../../base/quoteWord.ts';
import { knownPlaceholder } from '../task/placeholders.ts';

/** Where in a shell's text we are. `code` has its own open parentheses: the one too many ends a `$(`. */
interface Context {
  readonly type: 'code' | 'single' | 'double' | 'backtick' | 'parameter' | 'arithmetic';
  open: number;
}

const placeholder = /\{([A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z_][A-Za-z0-9_]*)\}/y;
const hereDocument = /<<(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|\\?([^\s'"<>;&|()]+))/y;
const comment = /#[^\n]*/y;
const expansion = /\$\(\(|\$\(|\$\{/y;

/**
 * A command for `/bin/sh -c` with each `{name.attribute}` outside quotes replaced by its value as one shell word.
 * Throws `config` for a placeholder where a quoted word would not stay one (quotes, backticks, `${}`, `$(())`, here-documents),
 * and for an unknown one. Comments and every other brace stay as they are; `\{` is a brace to the shell.
 */
export function expandCommand(command: string, values: ReadonlyMap<string, string>): string {
  const contexts: Context[] = [{ type: 'code', open: 0 }];
  const hereDocuments: { readonly end: string; readonly tabs: boolean }[] = [];
  let out = '';
  let at = 0;

  const match = (pattern: RegExp, from = at) => {
    pattern.lastIndex = from;
    return pattern.exec(command);
  };
  const take = (length: number) => {
    out += command.slice(at, at + length);
    at += length;
  };

  while (at < command.length) {
    const top = contexts.at(-1)!;
    const char = command[at]!;
    const found = match(placeholder) ?? (char === '$' ? match(placeholder, at + 1) : null);
    if (found) {
      const plain = char === '{' && top.type === 'code' && contexts.every(({ type }) => type !== 'backtick');
      out += word(found, plain, values);
      at += found[0].length;
    } else if (top.type === 'single') {
      if (char === "'") contexts.pop();
      take(1);
    } else if (char === '\\') {
      take(2);
    } else if (char === '`') {
      toggle(contexts, 'backtick');
      take(1);
    } else if (char === '"') {
      toggle(contexts, 'double');
      take(1);
    } else if (char === "'" && quotes(contexts, top)) {
      contexts.push({ type: 'single', open: 0 });
      take(1);
    } else if (match(expansion)) {
      const opening = match(expansion)![0];
      const type = opening === '$((' ? 'arithmetic' : opening === '$(' ? 'code' : 'parameter';
      contexts.push({ type, open: type === 'arithmetic' ? 1 : 0 });
      take(opening.length);
    } else if (top.type === 'parameter' && char === '}') {
      contexts.pop();
      take(1);
    } else if (char === '(' && counts(top)) {
      top.open += 1;
      take(1);
    } else if (char === ')' && counts(top)) {
      if (top.open > 0) top.open -= 1;
      else if (contexts.length > 1) contexts.pop();
      take(1);
    } else if (top.type === 'code' && char === '#' && /^$|[\s;&|()]/.test(command[at - 1] ?? '')) {
      take(match(comment)![0].length);
    } else if (top.type === 'code' && match(hereDocument)) {
      const [text, dash, ...ends] = match(hereDocument)!;
      hereDocuments.push({ end: ends.find((end) => end !== undefined) ?? '', tabs: dash === '-' });
      take(text.length);
    } else if (top.type === 'code' && char === '\n' && hereDocuments.length > 0) {
      take(hereDocumentsLength(command, at, hereDocuments, values));
      hereDocuments.length = 0;
    } else {
      take(1);
    }
  }
  return out;
}

/** Whether a single quote quotes here: it is an ordinary character between double quotes. */
function quotes(contexts: readonly Context[], top: Context): boolean {
  return ['code', 'backtick'].includes(top.type) || contexts.every(({ type }) => type !== 'double');
}

function counts({ type }: Context): boolean {
  return type === 'code' || type === 'arithmetic';
}

function toggle(contexts: Context[], type: 'double' | 'backtick'): void {
  if (contexts.at(-1)?.type === type) contexts.pop();
  else contexts.push({ type, open: 0 });
}

/** How long the bodies of here-documents are, the newline before them included. */
function hereDocumentsLength(
  command: string,
  from: number,
  documents: readonly { readonly end: string; readonly tabs: boolean }[],
  values: ReadonlyMap<string, string>,
): number {
  let at = from + 1;
  for (const { end, tabs } of documents) {
    for (let ended = false; !ended && at < command.length; ) {
      const newline = command.indexOf('\n', at);
      const stop = newline === -1 ? command.length : newline;
      const line = command.slice(at, stop);
      const found = new RegExp(placeholder.source).exec(line);
      if (found) word(found, false, values);
      ended = (tabs ? line.replace(/^\t+/, '') : line) === end;
      // The last newline stays: it may begin the next command.
      at = ended ? stop : stop + 1;
    }
  }
  return at - from;
}

function word(found: RegExpExecArray, plain: boolean, values: ReadonlyMap<string, string>): string {
  const [text, name = ''] = found;
  const value = knownPlaceholder(values, name, text, 'the command');
  if (!plain) {
    throw new RuntimeError('config', `the command has the placeholder ${text} inside quotes`, {
      hint: 'Its value is quoted already: write it outside quotes, backticks, expansions and here-documents.',
    });
  }
  return quoteWord(value);
}
