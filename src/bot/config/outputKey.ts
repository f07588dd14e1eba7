/** Where an output lies in the state bucket; the state's own format leaves that folder alone. */
export function outputKey(bot: string, name: string): string {
  return `${bot}/outputs/${name}`;
}
