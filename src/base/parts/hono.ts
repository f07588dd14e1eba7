export { getRequestListener } from '@hono/node-server';
export { Hono } from 'hono';
