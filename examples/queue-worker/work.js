// The work itself: the text's SHA-256. Every fifth job fails at its first attempt, for you to see what happens then.
const { createHash } = require('node:crypto');

exports.work = async ({ id, text, attempts }) => {
  if (id % 5 === 0 && attempts === 0) throw new Error('simulated failure');
  return createHash('sha256').update(text).digest('hex');
};
