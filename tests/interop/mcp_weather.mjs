// A server as anybody writes one with the official SDK: on standard input and output, with a resource and a request of its own besides.
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const server = new McpServer({ name: 'weather', version: '1.0.0' });
server.registerTool(
  'get_weather',
  { description: 'Tells the current weather of a city', inputSchema: z.object({ city: z.string().min(2).describe('The name of the city') }) },
  async ({ city }) => ({ content: [{ type: 'text', text: JSON.stringify({ condition: 'sunny', city, secret: process.env.VV_TEST_SECRET ?? 'none' }) }] }),
);
server.registerTool('fail', { description: 'Breaks the water main', inputSchema: z.object({}) }, async () => {
  throw new Error('no water');
});
console.error('a server says a lot on its standard error');
await server.connect(new StdioServerTransport());
