export { watch } from 'chokidar';
