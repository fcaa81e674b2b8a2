"""The pill at the bottom of the screen that shows a take while another program is in front."""
