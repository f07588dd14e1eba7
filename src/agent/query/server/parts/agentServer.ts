export { serveAgent } from '../serveAgent.ts';
