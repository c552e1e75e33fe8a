module.exports = { preset: '@deespec/jest', maxWorkers: 2 };
