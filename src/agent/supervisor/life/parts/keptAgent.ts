export { newEndpoint } from '../../../process/newEndpoint.ts';
export { keepAgent } from '../keepAgent.ts';
