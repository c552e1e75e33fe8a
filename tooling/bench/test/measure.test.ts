import { describe, expect, test } from '@jest/globals';

import { measure } from '../src/index.js';

function node(program: string): { file: string; args: string[] } {
  return { file: process.execPath, args: ['-e', program] };
}

describe('measure', () => {
  test('reports time, output and the most memory a process had, even when it gave it back', async () => {
    const hold =
      'let b = Buffer.alloc(150e6, 1); b = null; globalThis.gc?.(); setTimeout(() => console.log("done"), 200)';

    const sample = await measure(node(hold));

    expect(sample.wallMs).toBeGreaterThan(200);
    expect(sample.stdout).toBe('done\n');
    expect(sample.peakBytes).toBeGreaterThan(150e6);
    expect(sample.peakBytes).toBeLessThan(400e6);
  });

  test('counts what a child has for itself', async () => {
    const hold = 'let b = Buffer.alloc(150e6, 1); setTimeout(() => b, 300)';
    const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(hold)}])`;

    const sample = await measure(node(parent));

    expect(sample.peakBytes).toBeGreaterThan(180e6);
    expect(sample.peakBytes).toBeLessThan(400e6);
  });

  test('reads output of any size without waiting for ever', async () => {
    const sample = await measure(node('process.stdout.write("x".repeat(5e6))'));

    expect(sample.stdout.length).toBeGreaterThan(900_000);
    expect(sample.stdout.length).toBeLessThan(2_000_000);
  });

  test('fails with what the command said when it does not exit with 0', async () => {
    await expect(measure(node('console.error("broken"); process.exit(3)'))).rejects.toThrow(
      /exit 3: broken/u,
    );
  });

  test('ends the command when it is aborted', async () => {
    const running = measure(node('setInterval(() => undefined, 1000)'), AbortSignal.timeout(300));

    await expect(running).rejects.toThrow('aborted');
  });

  test('fails when there is no such command', async () => {
    await expect(measure({ file: '/nonexistent/command', args: [] })).rejects.toThrow('ENOENT');
  });
});
