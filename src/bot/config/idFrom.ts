/** A directory's name as an id: what an id may not contain becomes `-`. */
export function idFrom(name: string): string {
  const id = name.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 128);
  return id === '' || id === '.' || id === '..' ? 'bot' : id;
}
