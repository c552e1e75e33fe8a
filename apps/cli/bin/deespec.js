#!/usr/bin/env node
// A committed launcher: pnpm links no bin whose file is missing at install, and dist is built after it.
import '../dist/program/start.js';
