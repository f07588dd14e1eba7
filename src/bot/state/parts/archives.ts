export { publishExport } from '../publish/publishExport.ts';
export { restoreLegacy } from '../restore/restoreLegacy.ts';
