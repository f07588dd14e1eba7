import { asRuntimeError } from '../../../src/base/errors.ts';

/** The code that the call failed with; `none` when it did not. */
export function failureOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: unknown) => {
      const { code, message } = asRuntimeError(error);
      return code === 'internal' ? `internal: ${message}` : code;
    },
  );
}
