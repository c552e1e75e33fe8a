module.exports = { preset: '@deespec/jest' };
