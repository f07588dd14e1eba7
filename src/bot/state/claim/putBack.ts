import { RuntimeError } from '../../../base/errors.ts';
import { keys } from '../format/format.ts';

/** `op` of the error when the head was gone and has been written again: the operation begins again from the new head. */
export const PUT_BACK = 'state.putBack';

export function putBack(bot: string): RuntimeError {
  return new RuntimeError('conflict', `the head of ${bot} was gone, and has been written again`, {
    op: PUT_BACK,
    path: keys.head(bot),
    hint: 'Find out who removes objects from the state bucket.',
  });
}
