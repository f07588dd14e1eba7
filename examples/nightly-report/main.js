// Reports on yesterday's trades (simulated), and on every day since the last report that no run has reported on: a night on
// which the bot did not run is made up for. A day that is reported on already is left alone.
const { simulatedTrades } = require('./trades.js');
const { reportedDays, writeReport } = require('./reports.js');

exports.main = (botId, config) => {
  const days = missingDays(reportedDays(), yesterday(), config.catchUpDays ?? 7);
  for (const day of days) {
    const report = summarise(day, simulatedTrades(day, config.symbols));
    writeReport(report);
    console.log(`${day}: ${report.trades} trades, profit ${(report.profit / 100).toFixed(2)}`);
  }
  console.log(`${botId}: ${days.length === 0 ? 'nothing to report' : `reported on ${days.length} days`}`);
};

/** Days are texts like 2026-01-31: they sort as they follow each other. */
function missingDays(reported, last, atMost) {
  const newest = reported.at(-1);
  const days = [last];
  while (newest !== undefined && days.length < atMost && dayBefore(days[0]) > newest)
    days.unshift(dayBefore(days[0]));
  return days.filter((day) => !reported.includes(day));
}

function summarise(day, trades) {
  const bySymbol = {};
  for (const { symbol, amount, profit } of trades) {
    bySymbol[symbol] ??= { trades: 0, amount: 0, profit: 0 };
    bySymbol[symbol].trades += 1;
    bySymbol[symbol].amount += amount;
    bySymbol[symbol].profit += profit;
  }
  const profit = trades.reduce((sum, trade) => sum + trade.profit, 0);
  return { day, trades: trades.length, profit, bySymbol };
}

function yesterday() {
  return dayBefore(new Date().toISOString().slice(0, 10));
}

function dayBefore(day) {
  return new Date(Date.parse(day) - 24 * 3600 * 1000).toISOString().slice(0, 10);
}
