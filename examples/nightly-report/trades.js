// Simulated trades, the same ones whenever a day is asked for; amounts in cents. A real bot asks its broker here.
const { createHash } = require('node:crypto');

exports.simulatedTrades = (day, symbols) => {
  const count = 20 + Math.floor(fraction(day) * 30);
  return Array.from({ length: count }, (_, index) => ({
    symbol: symbols[Math.floor(fraction(`${day} symbol ${index}`) * symbols.length)],
    amount: Math.round(fraction(`${day} amount ${index}`) * 100_000),
    profit: Math.round((fraction(`${day} profit ${index}`) - 0.48) * 10_000),
  }));
};

/** From 0 to 1, decided by the text. */
function fraction(text) {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}
