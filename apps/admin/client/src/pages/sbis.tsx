export function SbisPage() { return null; }
