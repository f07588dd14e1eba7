// Works through a queue of jobs (simulated: a new one every config.milliseconds). A job is done once: what was in hand when the
// bot ended is taken up again, what was done is not. One that fails is tried again, behind the others.
const { Queue } = require('./queue.js');
const { work } = require('./work.js');
const { setTimeout: sleep } = require('node:timers/promises');

exports.main = async (botId, config, { signal }) => {
  const queue = Queue.open(config.attempts ?? 3);
  console.log(`${botId}: ${queue.waiting.length} jobs wait, ${queue.done.size} are done`);
  while (!signal.aborted) {
    queue.add({ text: `job number ${queue.size + 1}` });
    const job = queue.next();
    try {
      queue.finish(job.id, await work(job));
      console.log(`job ${job.id} done`);
    } catch (error) {
      queue.fail(job.id, error.message);
      console.log(`job ${job.id} failed: ${error.message}`);
    }
    // A stop is waited for here only: the job in hand is finished before.
    await sleep(config.milliseconds ?? 500, undefined, { signal }).catch(() => undefined);
  }
  console.log(`stopped: ${queue.waiting.length} jobs wait, ${queue.done.size} are done`);
};
