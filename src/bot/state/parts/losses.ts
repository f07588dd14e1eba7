export { putBackHead } from '../claim/putBackHead.ts';
export { firstLost } from '../claim/tree/firstLost.ts';
