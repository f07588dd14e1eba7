import { soakCluster } from './cluster/soakCluster.ts';
import { soak } from './soak.ts';

const isCluster = process.argv[2] === 'kubernetes';
const minutes = Number(process.argv[isCluster ? 3 : 2] ?? 10);
if (!(minutes > 0)) {
  console.error('usage: scripts/soak [kubernetes] [MINUTES]');
  process.exit(64);
}
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);
const { problems } = await (isCluster ? soakCluster : soak)({
  minutes,
  seed,
  print: (line) => console.log(line),
});
for (const problem of problems) console.error(`soak: ${problem}`);
console.log(
  problems.length === 0 ? 'nothing lost, nothing twice' : `${problems.length} problems; SOAK_SEED=${seed}`,
);
process.exit(problems.length === 0 ? 0 : 1);
