import { setTimeout as sleep } from 'node:timers/promises';

import type { Place } from '../place.js';
import type { BugName } from '../seeded-bugs.js';
import { Program, startProgram } from '../writers/program.js';
import type { Answer, Ask } from './service-messages.js';

/** A service of the suite in a process of its own. */
export class LiveService {
  private readonly answers = new Map<number, Answer>();
  private asked = 0;
  readonly program: Program;

  constructor(place: Place, name: string, bugs: readonly BugName[]) {
    this.program = startProgram({
      name: 'unavailable/service',
      argument: JSON.stringify({ home: place.home, name }),
      bugs,
      onMessage: (message) => {
        const answer = message as Answer;
        this.answers.set(answer.ask, answer);
      },
    });
  }

  /** Resolves when the tree is open. */
  async ready(): Promise<void> {
    const { outcome } = await this.answer(0);
    if (outcome !== 'ok') throw new Error(`a service did not start: ${outcome}`);
  }

  /** Asks for a write. @returns the number of its answer */
  ask(id: string, title: string): number {
    const ask: Ask = { ask: (this.asked += 1), id, title };
    this.program.send(ask);
    return ask.ask;
  }

  /** Asks for a write, and waits for what comes of it. */
  write(id: string, title: string): Promise<Answer> {
    return this.answer(this.ask(id, title));
  }

  async answer(ask: number): Promise<Answer> {
    for (;;) {
      const answer = this.answers.get(ask);
      if (answer !== undefined) return answer;
      if (!this.program.isRunning) {
        return { ask, outcome: `the service ended: ${await this.program.end()}`, tookMs: 0, mode: '' };
      }
      await sleep(5);
    }
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }
}
