-- Ends this server when the process that started it has ended, even if that was killed: only the
-- parent holds the other end of standard input, so the system closes it when the parent ends.

module:set_global();

require "net.server".watchfd(0, function (input)
	input:close();
	-- The event loop checks for its end after an event only, so cause one soon.
	module:add_timer(0, function () return 0.01; end);
	prosody.main_thread:run(function ()
		prosody.unlock_globals();
		prosody.shutdown("The parent has ended");
		prosody.lock_globals();
	end);
end);
