// Counts its own runs. What it writes under STATE_DIR is there again the next time.
const fs = require('node:fs');
const path = require('node:path');

module.exports.main = (botId, config) => {
  const file = path.join(process.env.STATE_DIR, 'runs.json');
  const before = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : 0;
  const runs = before + (config.step ?? 1);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(runs));
  console.log(`${botId}: run number ${runs}`);
};
