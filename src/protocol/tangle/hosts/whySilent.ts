/** Why a call to another server has no answer: `fetch` says only that it has failed, and why beside it. */
export function whySilent(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message;
}
