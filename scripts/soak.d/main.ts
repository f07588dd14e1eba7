import { soak } from './soak.ts';

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) {
  console.error('usage: scripts/soak [MINUTES]');
  process.exit(64);
}
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);
const { problems } = await soak({ minutes, seed, print: (line) => console.log(line) });
for (const problem of problems) console.error(`soak: ${problem}`);
console.log(
  problems.length === 0 ? 'nothing lost, nothing twice' : `${problems.length} problems; SOAK_SEED=${seed}`,
);
process.exit(problems.length === 0 ? 0 : 1);
