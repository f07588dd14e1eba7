export { extract, pack } from 'tar-stream';
