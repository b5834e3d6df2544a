import { beginAgainInOtherTabs } from "./session.js";

beginAgainInOtherTabs();
