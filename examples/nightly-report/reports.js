// The reports as they lie in STATE_DIR, one file a day. The bot writes them, its query program reads them.
const { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const folder = () => join(process.env.STATE_DIR, 'reports');

exports.reportedDays = () => {
  if (!existsSync(folder())) return [];
  return readdirSync(folder())
    .filter((name) => /^\d{4}-\d\d-\d\d\.json$/.test(name))
    .map((name) => name.slice(0, 10))
    .sort();
};

/** Renamed into place: a reader never sees half a report. */
exports.writeReport = (report) => {
  mkdirSync(folder(), { recursive: true });
  const file = join(folder(), `${report.day}.json`);
  writeFileSync(`${file}.new`, JSON.stringify(report, null, 2));
  renameSync(`${file}.new`, file);
};

exports.readReport = (day) => JSON.parse(readFileSync(join(folder(), `${day}.json`), 'utf8'));
