export function SbiPage() { return null; }
