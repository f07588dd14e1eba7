/** Whether one of the patterns is this name; `*` stands for anything, and nothing else for anything but itself. */
export function isNamed(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const [first = '', ...rest] = pattern.split('*');
    const last = rest.pop();
    if (last === undefined) return pattern === name;
    if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
      return false;
    let at = first.length;
    for (const piece of rest) {
      at = name.indexOf(piece, at);
      if (at === -1) return false;
      at += piece.length;
    }
    return at <= name.length - last.length;
  });
}
