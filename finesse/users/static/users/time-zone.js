/** The server shows times in the zone of this browser; finesse/users/time_zones.py reads the cookie. */
const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
const isSecure = location.protocol === "https:" ? "; secure" : "";
document.cookie = `time_zone=${timeZone}; path=/; max-age=31536000; samesite=lax${isSecure}`;
