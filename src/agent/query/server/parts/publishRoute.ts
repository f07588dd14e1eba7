/** Few containers are asked to publish. */
export { publishRoute } from '../publishRoute.ts';
