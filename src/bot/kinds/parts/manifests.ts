export { loadManifests } from '../manifest/load.ts';
